"""Speed, measured side by side in one run: only ratios mean something elsewhere.

python -m benchmarks.speed                     everything, some 20 minutes on two cores
python -m benchmarks.speed --only contributions,hot
python -m benchmarks.speed --quick             small: shows that it works, its figures mean little

model.py          the model that is measured: 300 trees of 31 leaves over 30 fields, as a bundle
contributions.py  exact contributions against LightGBM's own, one thread
hot.py            one lead from parsed JSON to the bytes of its answer, step by step
million.py        a million leads explained, Parquet to Parquet, against pandas with LightGBM
http.py           the service against MLflow's server, the usual tutorial app and an echo, under wrk
kills.py          what was acknowledged is there, once, after kill -9
peers/            the servers it is compared with; servers.py starts and stops them, load.py asks
"""
