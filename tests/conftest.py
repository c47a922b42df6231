"""What holds for every suite.

Under CI=true a skipped test is a failure: a suite that silently stops running there would look green for ever.
"""

import os
import shutil

import pytest
from hypothesis import settings

from loadcenter.adapters.emulator import EmulatorUnavailableError
from loadcenter.adapters.emulator.build import library

settings.register_profile("loadcenter", deadline=None)  # no test asserts how long something takes
settings.load_profile("loadcenter")


def pytest_configure(config: pytest.Config) -> None:
    if os.environ.get("CI") == "true" and not hasattr(config, "workerinput"):
        config.pluginmanager.register(SkipsFail(), "skips-fail")


@pytest.fixture(scope="session")
def tools() -> None:
    """Skip where the emulator or a compiler for AVR is missing; scripts/system-packages.sh names the packages."""
    if shutil.which("avr-g++") is None:
        pytest.skip("avr-g++ is missing: apt install gcc-avr avr-libc binutils-avr")
    try:
        library()
    except EmulatorUnavailableError as error:
        pytest.skip(str(error))


class SkipsFail:
    """Fails a session in which anything was skipped, and names what and why."""

    def __init__(self) -> None:
        self.skipped: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.skipped and not hasattr(report, "wasxfail"):
            self._add(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.skipped:
            self._add(report)

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        if self.skipped and exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.skipped:
            terminalreporter.section("skipped, which fails under CI=true", red=True)
            for line in self.skipped:
                terminalreporter.line(line)

    def _add(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        self.skipped.append(f"{report.nodeid}: {reason}")
