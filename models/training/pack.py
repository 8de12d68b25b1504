#!/usr/bin/python3
"""Decodes all pictures that are trained on into one file: pack.py WORK"""

import sys

from data import pack

pack(sys.argv[1])
