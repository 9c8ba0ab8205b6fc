"""scikit-learn's imputers on the hidden cells of a study: IterativeImputer, KNNImputer, and missForest's loop.

    python rivals.py FOLDER METHOD,..    # FOLDER has cells.csv, hidden.csv, kinds.csv, as `impute` writes them
"""
import json
import sys
import time
import warnings

import numpy as np
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer, KNNImputer

warnings.filterwarnings("ignore")


def one_hot(cells, kinds):
    """Without the first category of each block, which would follow from the others: a hidden one would be imputed from what
    was filled in for them."""
    blocks = []
    for column, kind in enumerate(kinds):
        values = cells[:, column : column + 1]
        if kind:
            values = np.where(np.isnan(values), np.nan, (values == np.arange(1, kind)).astype(float))
        blocks.append(values)
    return np.hstack(blocks)


def undo(features, kinds):
    columns, at = [], 0
    for kind in kinds:
        width = kind - 1 if kind else 1
        block = features[:, at : at + width]
        if kind:
            block = np.hstack([1 - block.sum(1, keepdims=True), block]).argmax(1, keepdims=True)
        columns.append(block[:, 0])
        at += width
    return np.stack(columns, 1).astype(float)


def scaled(imputer):
    def run(cells, kinds):
        features = one_hot(cells, kinds)
        mean, deviation = np.nanmean(features, 0), np.nanstd(features, 0)
        deviation[deviation == 0] = 1
        filled = imputer().fit_transform((features - mean) / deviation) * deviation + mean
        return undo(filled, kinds)

    return run


def miss_forest(cells, kinds):
    """Stekhoven & Buehlmann 2012: columns by their number of gaps, forests with sqrt(p) features, until the change grows."""
    missing = np.isnan(cells)
    filled = cells.copy()
    for column, kind in enumerate(kinds):
        known = cells[~missing[:, column], column]
        fill = np.bincount(known.astype(int)).argmax() if kind else known.mean()
        filled[missing[:, column], column] = fill
    order = np.argsort(missing.sum(0))
    last = np.inf
    for _ in range(5):
        before = filled.copy()
        for column in order:
            gaps = missing[:, column]
            if not gaps.any():
                continue
            features = one_hot(np.delete(filled, column, 1), np.delete(kinds, column))
            forest = (RandomForestClassifier if kinds[column] else RandomForestRegressor)(
                n_estimators=100, max_features="sqrt", n_jobs=1, random_state=0
            )
            forest.fit(features[~gaps], filled[~gaps, column])
            filled[gaps, column] = forest.predict(features[gaps])
        numbers = np.array(kinds) == 0
        change = ((filled - before)[:, numbers] ** 2).sum() / max((filled[:, numbers] ** 2).sum(), 1e-12)
        if change > last:
            return before
        last = change
    return filled


def errors(truth, filled, hidden, kinds):
    squares = scaled_squares = numbers = wrong = categories = 0
    for column, kind in enumerate(kinds):
        at = hidden[:, column] & ~np.isnan(truth[:, column])
        value, guess = truth[at, column], filled[at, column]
        if kind:
            wrong += (value != guess).sum()
            categories += at.sum()
            continue
        known = truth[~np.isnan(truth[:, column]), column]
        if known.var() == 0:
            continue
        squares += ((value - guess) ** 2).sum() / known.var()
        scaled_squares += ((value - guess) ** 2).sum() / np.ptp(known) ** 2
        numbers += at.sum()
    root = lambda total: float(np.sqrt(total / numbers)) if numbers else None
    return {"nrmse": root(squares), "rmse01": root(scaled_squares), "pfc": float(wrong / categories) if categories else None}


METHODS = {
    "IterativeImputer": scaled(lambda: IterativeImputer(max_iter=10, random_state=0)),
    "KNNImputer": scaled(lambda: KNNImputer(n_neighbors=5)),
    "missForest": miss_forest,
}

if __name__ == "__main__":
    folder, names = sys.argv[1], sys.argv[2].split(",")
    truth = np.genfromtxt(f"{folder}/cells.csv", delimiter=",", ndmin=2)
    hidden = np.genfromtxt(f"{folder}/hidden.csv", delimiter=",", ndmin=2) == 1
    kinds = np.genfromtxt(f"{folder}/kinds.csv", delimiter=",", ndmin=1).astype(int)
    partial = np.where(hidden, np.nan, truth)
    for name in names:
        began = time.time()
        filled = METHODS[name](partial, kinds)
        print(json.dumps({"method": name, **errors(truth, filled, hidden, kinds), "seconds": time.time() - began}), flush=True)
