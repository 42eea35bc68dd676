"""What the page is asked of receipts, tried with the driver's own Node on a page that hangs."""

import json
import subprocess

from playwright._impl._driver import compute_driver_executable
from session_runner.page import scripts

NODE, _ = compute_driver_executable()
ASK = """
const LIMITS = [];
globalThis.window = {
  __session: {
    within: (time, promise) => { LIMITS.push(time); return Promise.race([promise, new Promise((_, late) => { setTimeout(late, 20); })]); },
    ack: async (key) => {
      if (key === 'fails') throw new Error('no such chat');
      return key === 'hangs' ? new Promise(() => {}) : Number(key);
    },
  },
};
eval(process.argv[1])({ keys: ['hangs', '3', 'fails', '1'] }).then((acks) => console.log(JSON.stringify([acks, Math.max(...LIMITS)])));
"""


def test_a_chat_that_hangs_holds_up_the_receipts_of_no_other() -> None:
    """Nor one that fails: of both nothing is known now, and the whole answer comes long before the runner gives up."""
    command = [NODE, "--eval", ASK, scripts.script("acks.js")]
    answer = subprocess.run(command, check=True, capture_output=True, text=True, timeout=50).stdout
    acks, longest = json.loads(answer)

    assert [None, 3, None, 1] == acks
    assert longest <= 5000
