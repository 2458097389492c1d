"""Forecasts as distributions: do the bands hold what they promise, and how sharp are they beside statsmodels' own?

`python -m benchmarks.forecasts [NAB_FOLDER] [--json OUT.json]` prints it, with a fixed seed. Fault-free signals of six
kinds; from row 300 every tenth row is an origin, 1, 5 and 20 readings ahead. A band's cover is the share of probability
integral transforms within it, randomised over the lattice for rounded readings and counts (with Sheppard's correction).
CRPS in closed form, mean over origins. Beside it, on the first `BESIDE` signals of each kind: statsmodels' local level
(UnobservedComponents), AR(1) with a mean (SARIMAX) and simple exponential smoothing (ETS), their parameters fitted on the
first 300 rows. With a folder of the NAB benchmark's development series: the same on every file, origins from row 300,
season (day) learned on the way, CRPS divided by that of the local level.
"""

from __future__ import annotations

import argparse
import json
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats
from scipy.special import beta as beta_function
from statsmodels.tsa.exponential_smoothing.ets import ETSModel
from statsmodels.tsa.statespace.sarimax import SARIMAX
from statsmodels.tsa.statespace.structural import UnobservedComponents

from benchmarks.labelled import quiet
from cyberstride import belief as beliefs
from cyberstride import season as seasons
from cyberstride.forecast import forecast
from cyberstride.kernel import Kernel

SEED, SIGNALS, FIRST, ROWS, EVERY, BESIDE = 1976, 200, 300, 720, 10, 8
A_DAY, SAMPLING = 48, 1800.0
AHEAD = (1, 5, 20)
KINDS = ("gaussian", "student t5", "ar1 0.5", "seasonal", "rounded", "counts")
SHARES = (0.5, 0.9)


def table_of(kind: str, rng: np.random.Generator) -> np.ndarray:
    if kind == "seasonal":
        size, phase = rng.uniform(1, 4, SIGNALS), rng.uniform(size=SIGNALS)
        wave = np.sin(2 * np.pi * (np.arange(ROWS)[:, None] / A_DAY + phase))
        return size * wave + rng.normal(size=(ROWS, SIGNALS))
    return quiet(kind, rng, ROWS, SIGNALS)


def crps(x: np.ndarray, mean: np.ndarray, sd: np.ndarray, dof: np.ndarray) -> np.ndarray:
    """CRPS of a Student-t (Jordan, Krueger & Lerch 2019, appendix A); Gaussian in the limit."""
    dof = np.minimum(dof, 1000.0)
    z = (x - mean) / sd
    density, cumulative = stats.t.pdf(z, dof), stats.t.cdf(z, dof)
    spread = 2 * np.sqrt(dof) / (dof - 1) * beta_function(0.5, dof - 0.5) / beta_function(0.5, dof / 2) ** 2
    score: np.ndarray = sd * (z * (2 * cumulative - 1) + 2 * density * (dof + z * z) / (dof - 1) - spread)
    return score


def pit(
    x: np.ndarray, mean: np.ndarray, sd: np.ndarray, dof: np.ndarray, lattice: float, rng: np.random.Generator
) -> np.ndarray:
    # The learned variance holds that of the rounding too (Sheppard's correction), which the lattice brings by itself.
    sd = np.sqrt(np.maximum(sd * sd - lattice * lattice / 12.0, 0.01 * sd * sd))
    low = stats.t.cdf((x - lattice / 2 - mean) / sd, dof)
    high = stats.t.cdf((x + lattice / 2 - mean) / sd, dof)
    return np.asarray(low + rng.uniform(size=x.shape) * (high - low))


def cover(transform: np.ndarray) -> tuple[float, ...]:
    return tuple(float(np.mean(np.abs(transform - 0.5) <= share / 2)) for share in SHARES)


def ours(table: np.ndarray, at: np.ndarray, sampling: float, seasonal: bool) -> list[tuple[int, np.ndarray, ...]]:
    n = table.shape[1]
    belief, kernel = beliefs.newborn(n), Kernel(threads=1)
    season = seasons.newborn(n, sampling=sampling) if seasonal else None
    out = []
    for t, row in enumerate(table):
        offset = np.zeros(n)
        if season is not None:
            season, offset, shift = seasons.prepare(season, at[t])
            belief = seasons.rebase(belief, shift)
        verdicts = kernel.advance(belief, row - offset, 1.0)
        if season is not None:
            season = seasons.learn(season, row, at[t], verdicts)
        if t >= FIRST and (t - FIRST) % EVERY == 0:
            told = forecast(belief, AHEAD)
            mean = told.mean if season is None else told.mean + seasons.ahead(season, at[t], AHEAD, sampling)
            out.append((t, mean, told.sd, np.repeat(told.dof[:, None], len(AHEAD), axis=1)))
    return out


def theirs(series: np.ndarray, learn: int) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Means and standard deviations (rows, ahead) of statsmodels' models, from every row, parameters from the first."""
    out = {}
    h = np.asarray(AHEAD, dtype=float)
    scale = max(float(np.std(series[:learn])), 1e-12)
    x = (series - series[:learn].mean()) / scale
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        level = UnobservedComponents(x[:learn], "llevel")
        fitted = level.fit(disp=0, maxiter=50)
        kept = UnobservedComponents(x, "llevel").filter(fitted.params)
        noise, drift = fitted.params[0], fitted.params[1]
        mean = np.repeat(kept.filtered_state[0][:, None], len(h), axis=1)
        variance = kept.filtered_state_cov[0, 0][:, None] + noise + drift * h
        out["local level"] = (mean, np.sqrt(variance))
        one = SARIMAX(x[:learn], order=(1, 0, 0), trend="c").fit(disp=0, maxiter=50)
        constant, phi, sigma2 = one.params
        phi = float(np.clip(phi, -0.999, 0.999))
        centre = constant / (1 - phi)
        sd = np.sqrt(sigma2 * (1 - phi ** (2 * h)) / (1 - phi * phi))
        out["AR(1)"] = (centre + phi**h * (x - centre)[:, None], np.repeat(sd[None], len(x), axis=0))
        smooth = ETSModel(x[:learn], error="add").fit(disp=0, maxiter=50)
        alpha = float(smooth.smoothing_level)
        states = ETSModel(x, error="add").smooth(smooth.params).level
        variance = smooth.mse * (1.0 + (h - 1.0) * alpha * alpha)
        out["ETS"] = (
            np.repeat(np.asarray(states)[:, None], len(h), axis=1),
            np.repeat(np.sqrt(variance)[None], len(x), 0),
        )
    centred = series[:learn].mean()
    return {name: (centred + scale * mean, scale * sd) for name, (mean, sd) in out.items()}


def simulated(rng: np.random.Generator) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    pooled: list[list[np.ndarray]] = [[] for _ in AHEAD]
    for kind in KINDS:
        table = table_of(kind, rng)
        lattice = 1.0 if kind in ("rounded", "counts") else 0.0
        told = ours(table, np.arange(ROWS) * SAMPLING, SAMPLING, kind == "seasonal")
        others = [theirs(table[:, lane], FIRST) for lane in range(BESIDE)]
        for k, distance in enumerate(AHEAD):
            use = [line for line in told if line[0] + distance < ROWS]
            x = np.array([table[line[0] + distance] for line in use])
            mean, sd, dof = (np.array([line[i][:, k] for line in use]) for i in (1, 2, 3))
            transform = pit(x, mean, sd, dof, lattice, rng)
            pooled[k].append(transform.ravel())
            row: dict[str, object] = {"kind": kind, "ahead": distance, "cover": cover(transform)}
            row["crps"] = float(crps(x, mean, sd, dof).mean())
            row["beside"] = {"ours": float(crps(x, mean, sd, dof)[:, :BESIDE].mean())}
            origins = [line[0] for line in use]
            for name in others[0]:
                far = np.array([other[name][0][origins, k] for other in others]).T
                wide = np.array([other[name][1][origins, k] for other in others]).T
                row["beside"][name] = float(crps(x[:, :BESIDE], far, wide, np.full_like(far, 1e3)).mean())  # type: ignore[index] # a dict
            rows.append(row)
    for k, distance in enumerate(AHEAD):
        rows.append(
            {"kind": "all", "ahead": distance, "cover": cover(np.concatenate(pooled[k])), "crps": None, "beside": {}}
        )
    return rows


def real(folder: Path, rng: np.random.Generator) -> list[dict[str, object]]:
    transforms: list[list[np.ndarray]] = [[] for _ in AHEAD]
    ratio: list[dict[str, list[float]]] = [{} for _ in AHEAD]
    files = sorted(folder.rglob("*.csv"))
    for file in files:
        frame = pd.read_csv(file)
        if "value" not in frame or len(frame) < FIRST + 100:
            continue
        series = frame["value"].to_numpy(float)
        at = pd.to_datetime(frame["timestamp"]).to_numpy().astype("datetime64[s]").astype(float)
        sampling = max(float(np.median(np.diff(at))), 1.0)
        told = ours(series[:, None], at, sampling, sampling <= 3600)
        other = theirs(series, FIRST)
        for k, distance in enumerate(AHEAD):
            use = [
                line
                for line in told
                if line[0] + distance < len(series) and np.isfinite(line[1]).all() and line[2].min() > 0
            ]
            if not use:
                continue
            x = np.array([series[line[0] + distance] for line in use])
            mean, sd, dof = (np.array([line[i][0, k] for line in use]) for i in (1, 2, 3))
            transforms[k].append(pit(x, mean, sd, dof, 0.0, rng))
            origins = [line[0] for line in use]
            scores = {"ours": crps(x, mean, sd, dof).mean()}
            for name, (far, wide) in other.items():
                scores[name] = crps(x, far[origins, k], np.maximum(wide[origins, k], 1e-9), np.full(len(x), 1e3)).mean()
            for name, score in scores.items():
                ratio[k].setdefault(name, []).append(float(score / max(scores["local level"], 1e-12)))
    return [
        {
            "kind": f"{len(transforms[k])} files",
            "ahead": distance,
            "cover": tuple(np.mean([cover(t) for t in transforms[k]], axis=0)),
            "crps": None,
            "beside": {name: float(np.exp(np.mean(np.log(np.maximum(r, 1e-12))))) for name, r in ratio[k].items()},
        }
        for k, distance in enumerate(AHEAD)
    ]


def show(rows: list[dict[str, object]]) -> None:
    names = ("ours", "local level", "AR(1)", "ETS")
    print(f"{'kind':12}{'ahead':>6}{'50 %':>8}{'90 %':>8}{'CRPS':>9}   beside:" + "".join(f"{n:>13}" for n in names))
    for row in rows:
        low, high = row["cover"]  # type: ignore[misc] # a pair
        score = "" if row["crps"] is None else f"{row['crps']:.4f}"
        beside: dict[str, float] = row["beside"]  # type: ignore[assignment] # a dict
        cells = "".join(f"{beside[n]:>13.4f}" if n in beside else f"{'':>13}" for n in names)
        print(f"{row['kind']:12}{row['ahead']:>6}{100 * low:>8.1f}{100 * high:>8.1f}{score:>9}          {cells}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, help="a folder of NAB series (timestamp,value)")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    rng = np.random.default_rng(SEED)
    print(f"{SIGNALS} signals of each kind; bands as shares of readings held; CRPS beside: the first {BESIDE} signals")
    rows = simulated(rng)
    show(rows)
    if given.folder:
        print("\nreal series: bands averaged over files; CRPS over that of the local level, geometric mean")
        nab = real(given.folder, rng)
        show(nab)
        rows += nab
    if given.json:
        given.json.write_text(json.dumps({"seed": SEED, "rows": rows}, indent=1))


if __name__ == "__main__":
    main()
