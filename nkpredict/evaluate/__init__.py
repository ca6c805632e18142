"""Honest evaluation: splits, naive baselines, tuning, nested cross-validation and benchmarks."""

from nkpredict.evaluate.benchmark import BenchmarkRun, run_benchmark
from nkpredict.evaluate.curves import PermutationTest, learning_curve, permutation_test
from nkpredict.evaluate.nested import CrossValidation, nested_cross_validate
from nkpredict.evaluate.peers import PEERS, Peer, PeerSetting
from nkpredict.evaluate.tuning import Tuned, tune

__all__ = [
    "PEERS",
    "BenchmarkRun",
    "CrossValidation",
    "Peer",
    "PeerSetting",
    "PermutationTest",
    "Tuned",
    "learning_curve",
    "nested_cross_validate",
    "permutation_test",
    "run_benchmark",
    "tune",
]
