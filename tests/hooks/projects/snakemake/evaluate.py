import json
import sys
from pathlib import Path

import churn_steps

*read, metrics = map(Path, sys.argv[1:])
table, small, large = (json.loads(path.read_text()) for path in read)
metrics.write_text(json.dumps(churn_steps.evaluate(table, small, large)))
