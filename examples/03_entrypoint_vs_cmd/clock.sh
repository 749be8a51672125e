#!/bin/sh
# Ticks until it is asked to stop.
trap 'echo "stopping in good order"; exit 0' TERM
echo ticking
while :; do
  sleep 1 &
  wait $!
done
