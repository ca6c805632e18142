from __future__ import annotations

import numpy as np

from nkpredict.evaluate import naive_baselines


def test_baselines_know_what_their_names_say() -> None:
    profiles = np.array([[0.0, 1, 5], [0, 2, 1], [0, 3, 4], [0, 4, 2]])
    response, lineage = np.array([1.0, 2, 3, 4]), np.array(["AML", "AML", "MM", "MM"])
    mean, by_lineage, gene = naive_baselines().values()
    assert mean.fit(profiles, response).predict(profiles).tolist() == [2.5] * 4
    by_lineage.fit(profiles, response, lineage=lineage)
    new = np.array(["AML", "MM", "BCL"])
    assert by_lineage.predict(profiles[:3], lineage=new).tolist() == [1.5, 3.5, 2.5]
    assert by_lineage.predict(profiles[:3]).tolist() == [2.5] * 3
    np.testing.assert_allclose(gene.fit(profiles, response).predict(profiles), response)
