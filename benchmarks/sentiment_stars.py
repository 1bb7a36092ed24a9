"""Five stars or not: a task of the benchmark alone, told from a whole review's text.

Ours joins the review's terms, its embedding, the mean of its sentences' embeddings, and what the sentiment
head says of its sentences, in one logistic regression. The head is learned from the rated sentences, none
of them from these reviews.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from storewise.benchmarks.peers.polarity import Flags, Floats, stacked
from storewise.tools.reviews import sentiment
from storewise.tools.reviews.sentences import sentences

STRENGTH = 2.0  # sklearn's C; with the scales below chosen by cross-validation over the training reviews
TERMS, SENTENCES, POLARITY = 1.5, 2.0, 0.3

Vectors = npt.NDArray[np.float32]


class Reviews:
    """Reviews as ours sees them: texts, their embeddings, those of their sentences, and these' polarity."""

    def __init__(
        self,
        texts: Sequence[str],
        vectors: Vectors,
        lines: Sequence[Sequence[str]],
        said: Vectors,
        head: sentiment.Head,
    ) -> None:
        self.texts, self.vectors = list(texts), vectors
        scores = head.scores([line for one in lines for line in one], said)
        cuts = np.cumsum([len(one) for one in lines])[:-1]
        self.polarity = [np.asarray(part, dtype=np.float64) for part in np.split(scores, cuts)]
        self.means = np.stack(
            [part.mean(axis=0) if len(part) else np.zeros(part.shape[1]) for part in np.split(said, cuts)]
        )

    def summary(self) -> Floats:
        """Return nine figures on the polarity of each review's sentences: where it lies, begins and ends."""
        rows = [
            [
                part.mean(), part.max(), part.min(), part[0], part[-1], np.tanh(part / 2).mean(),
                (part < -1).mean(), (part > 1).mean(), np.log(len(part)),
            ] if len(part) else [0.0] * 9
            for part in self.polarity
        ]  # fmt: skip
        return np.array(rows)


def lines_of(text: str) -> list[str]:
    """Return the sentences of a review."""
    return [text[span.start : span.stop] for span in sentences(text)]


class Ours:
    """Our model of five stars, fitted on reviews."""

    def __init__(self, reviews: Reviews, five: Flags) -> None:
        self._terms = TfidfVectorizer(analyzer=sentiment.terms, min_df=2, sublinear_tf=True).fit(
            reviews.texts
        )
        summary = reviews.summary()
        self._mean, self._spread = summary.mean(axis=0), summary.std(axis=0)
        self._model = LogisticRegression(
            C=STRENGTH, solver="liblinear", dual=True, tol=0.02, max_iter=300, random_state=7
        ).fit(self._features(reviews), five)

    def scores(self, reviews: Reviews) -> Floats:
        """Return the log-odds of five stars."""
        return np.asarray(self._model.decision_function(self._features(reviews)))

    def _features(self, reviews: Reviews) -> object:
        return stacked(
            [
                TERMS * self._terms.transform(reviews.texts),
                reviews.vectors,
                SENTENCES * reviews.means,
                POLARITY * (reviews.summary() - self._mean) / self._spread,
            ]
        )
