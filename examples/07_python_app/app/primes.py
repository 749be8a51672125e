"""A table of primes: one bit per odd number, made once while the image is built."""

import pathlib

TABLE = pathlib.Path(__file__).with_name("primes.bin")


class Primes:
    def __init__(self, path=TABLE):
        self._bits = path.read_bytes()
        self.limit = len(self._bits) * 16

    def is_prime(self, number):
        if number == 2:
            return True
        if number < 2 or number % 2 == 0:
            return False
        if number >= self.limit:
            raise ValueError(f"{number} is beyond {self.limit}")
        index = number // 2
        return bool(self._bits[index // 8] >> index % 8 & 1)
