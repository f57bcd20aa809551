"""The command line."""

import os

# A product of matrices has the same last digits on any number of cores only if one thread computes it. More
# gain nothing on arrays as small as ours, and wait for one another on a busy machine. What is set counts.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"):
    os.environ.setdefault(_name, "1")
