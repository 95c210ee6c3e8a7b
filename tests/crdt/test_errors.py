from crdt.errors import BLAMELESS, Misuse, OperatingFailure, Reason, SymJamError, Violation


def test_a_violation_says_its_reason_and_detail() -> None:
    violation = Violation(Reason.GAP, "entry 5 after 3 entries")
    assert violation.reason is Reason.GAP
    assert str(violation) == "gap: entry 5 after 3 entries"
    assert str(Violation(Reason.DELETES)) == "deletes"


def test_an_operating_failure_says_what_why_and_what_to_do() -> None:
    failure = OperatingFailure("cannot write", "the disk is full", "free some space")
    assert (failure.what, failure.why, failure.remedy) == ("cannot write", "the disk is full", "free some space")
    assert str(failure) == "cannot write: the disk is full. free some space"
    assert str(OperatingFailure("cannot write", "the disk is full")) == "cannot write: the disk is full"


def test_the_families_are_apart() -> None:
    families = (Misuse, Violation, OperatingFailure)
    assert all(issubclass(family, SymJamError) for family in families)
    assert not any(issubclass(a, b) for a in families for b in families if a is not b)


def test_counters_stay_readable() -> None:
    assert all(reason.value == reason.name.lower().replace("_", "-") for reason in Reason)


def test_forged_or_broken_bytes_are_never_blameless() -> None:
    assert not BLAMELESS & {Reason.GARBAGE, Reason.BAD_SIGNATURE, Reason.NON_CANONICAL, Reason.WRONG_NETWORK}
