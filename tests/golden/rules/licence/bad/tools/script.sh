#!/bin/sh
echo "whose is this?"
