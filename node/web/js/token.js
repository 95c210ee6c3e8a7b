// The key to the node. It arrives in the fragment, which is never sent to a server, and leaves the address bar at
// once, so that it is not in a bookmark, a screenshot or a shared screen. A tab keeps it for itself.

const KEY = "symjam.token";

/** The token, or null when this window never had one. */
export function takeToken() {
  const found = /(?:^#|&)token=([A-Za-z0-9_-]+)/.exec(location.hash);
  if (found) {
    sessionStorage.setItem(KEY, found[1]);
    history.replaceState(null, "", `${location.pathname}#/play`);
  }
  return sessionStorage.getItem(KEY);
}
