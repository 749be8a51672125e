import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "app"))

from primes import Primes


class PrimesTest(unittest.TestCase):
    def test_small_numbers(self):
        primes = Primes()
        found = [number for number in range(30) if primes.is_prime(number)]
        self.assertEqual(found, [2, 3, 5, 7, 11, 13, 17, 19, 23, 29])
