import json
from pathlib import Path

import churn_steps

raw = Path(snakemake.input[0]).read_text()
Path(snakemake.output[0]).write_text(json.dumps(churn_steps.clean(raw, snakemake.params.floor)))
