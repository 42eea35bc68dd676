"""The runner with more flags for its browser: `python -m session_bench.runner_with_flags FLAG...`, to try what they save."""

import sys

import session_runner.__main__ as runner
from session_runner.page.launch import LaunchPlan


def main(flags: list[str]) -> int:
    """Run the runner, whose browser gets these as well."""
    arguments = vars(LaunchPlan)["arguments"].fget
    setattr(LaunchPlan, "arguments", property(lambda plan: [*arguments(plan), *flags]))  # noqa: B010 -- a property, to the type checker
    return runner.main()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
