"""Somebody who sends one form again and again: `python -m tests.kills.clicker PORT TIMES PATH`.

Body and headers come on stdin. Waits for a line there before it begins; says on stdout where the answers lead, or
their HTTP status, and how many led there.
"""

import http.client
import json
import sys
from collections import Counter


def main(port: int, times: int, path: str) -> None:
    body, headers = json.loads(sys.stdin.readline())
    print("ready", flush=True)
    sys.stdin.readline()
    places: Counter[str] = Counter()
    for _ in range(times):
        line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        line.request("POST", path, body, headers)
        response = line.getresponse()
        response.read()
        places[response.headers["Location"] or f"HTTP {response.status}"] += 1
        line.close()
    print(json.dumps(places), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
