import pytest


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "npm: installs a package from npm")
