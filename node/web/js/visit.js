// How this page gets to the node: as its owner's, by the token in the address that symjam up printed; or as a guest's,
// by an invitation. Either arrives in the fragment, which is never sent to a server, and leaves the address bar at once.
//
// For the invitation the node gives this browser a secret of its own, which says who comes back. Wi-Fi pages are no
// secure context, so the browser keeps no better place for it than its storage.

import { takeToken } from "./token.js";

const SECRET = "symjam.guest";

function stored(value) {
  try {
    if (value !== undefined) localStorage.setItem(SECRET, value);
    return localStorage.getItem(SECRET) ?? "";
  } catch {
    return value ?? ""; // private windows may keep nothing: the visit lasts as long as the page
  }
}

function takeInvitation() {
  const found = /^#guest=([A-Za-z0-9_-]{1,64})/.exec(location.hash);
  if (found) history.replaceState(null, "", `${location.pathname}#/play`);
  return found?.[1] ?? null;
}

/** `{token, guest}`, or `{trouble}`: in words why this page has no way in. */
export async function enter() {
  const invitation = takeInvitation();
  if (invitation) return join(invitation);
  const token = takeToken();
  if (token) return { token, guest: false };
  const secret = stored();
  if (secret) return { token: secret, guest: true };
  return { trouble: "This window has no key to the node. Open the address that symjam up printed; it ends in #token=…" };
}

async function join(token) {
  let answer;
  try {
    answer = await fetch("/api/guest", { method: "POST", body: JSON.stringify({ token, secret: stored() }), cache: "no-store" });
  } catch {
    return { trouble: "The node does not answer. Are you on the same Wi-Fi? Scan the code again." };
  }
  const said = await answer.json();
  if (answer.ok) return { token: stored(said.secret) && said.secret, guest: true };
  if (answer.status === 401) return { trouble: ENDED };
  return { trouble: `You are not in yet: ${said.why}. ${said.remedy}` };
}

/** What a guest is told whose invitation holds no more. */
export const ENDED = "This invitation has ended. Ask for a new one: whoever invited you can show you a fresh code to scan.";
