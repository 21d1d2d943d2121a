#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""An sFlow collector for test_sflow.sh: reads what moatd sends as the memos
have it, by itself and not by moat's code, and says it as lines of JSON.

sflow_collector.py ADDRESS PORT DATAGRAMS HEADERS
    DATAGRAMS: pcap of the datagrams, each in an IP packet of its own
    HEADERS: pcap of the first bytes of the dropped frames
Prints "ready", then a line for each discarded packet, until it is ended.
"""
import json
import socket
import struct
import sys

DISCARDED_PACKET, RAW_HEADER, ETHERNET = 5, 1, 1


class Reader:
    """XDR: big-endian words, opaque bytes padded to words."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def word(self):
        value, = struct.unpack_from(">I", self.data, self.at)
        self.at += 4
        return value

    def opaque(self, size):
        assert self.at + size <= len(self.data), "cut"
        value = self.data[self.at:self.at + size]
        self.at += (size + 3) // 4 * 4
        return value

    def end(self):
        assert self.at == len(self.data), f"{len(self.data) - self.at} bytes left over"


class Pcap:
    def __init__(self, path, linktype):
        self.file = open(path, "wb")
        self.file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, linktype))
        self.file.flush()

    def add(self, data, length):
        self.file.write(struct.pack("<IIII", 0, 0, len(data), length) + data)
        self.file.flush()


def udp(data):
    """In an IPv4 packet from 192.0.2.10 to the port of sFlow."""
    size = 28 + len(data)
    head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, size, 0, 0, 64, 17, 0,
                       bytes([192, 0, 2, 10]), bytes([192, 0, 2, 1]))
    return head + struct.pack(">HHHH", 40000, 6343, size - 20, 0) + data


def read_header(record, out):
    r = Reader(record)
    assert r.word() == ETHERNET
    length, stripped, size = r.word(), r.word(), r.word()
    head = r.opaque(size)
    r.end()
    assert stripped == 4 and size == min(length - stripped, 128)
    out.update(length=length, head=size)
    return head, length - stripped


def read_sample(sample, headers):
    r = Reader(sample)
    out = {key: r.word() for key in ("sequence", "source_type", "source", "drops", "input", "output", "reason")}
    for _ in range(r.word()):
        record, size = r.word(), r.word()
        body = r.opaque(size)
        assert record == RAW_HEADER and size % 4 == 0
        headers.add(*read_header(body, out))
    r.end()
    return out


def read_datagram(data, headers):
    r = Reader(data)
    assert r.word() == 5
    family = r.word()
    agent = socket.inet_ntop(socket.AF_INET if family == 1 else socket.AF_INET6,
                             r.opaque(4 if family == 1 else 16))
    sub_agent, sequence, uptime = r.word(), r.word(), r.word()
    for _ in range(r.word()):
        kind, size = r.word(), r.word()
        assert kind == DISCARDED_PACKET
        sample = read_sample(r.opaque(size), headers)
        sample.update(agent=agent, sub_agent=sub_agent, datagram=sequence, uptime=uptime, size=len(data))
        print(json.dumps(sample), flush=True)
    r.end()


def main():
    address, port = sys.argv[1], int(sys.argv[2])
    datagrams, headers = Pcap(sys.argv[3], 101), Pcap(sys.argv[4], 1)
    sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((address, port))
    print("ready", flush=True)
    while True:
        data = sock.recv(65535)
        datagrams.add(udp(data), 28 + len(data))
        read_datagram(data, headers)


main()
