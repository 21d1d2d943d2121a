/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A writer of small MaxMind databases, byte by byte after the specification
 * 2.0: libmaxminddb has none.
 */
#ifndef TESTS_MMDB_LAB_H
#define TESTS_MMDB_LAB_H

#include "core/prefix.h"

#define MMDB_LAB_NODES 2048
#define MMDB_LAB_BYTES 65536

struct mmdb_lab {
	unsigned int ip_version;  /* 4 or 6 */
	unsigned int record_size; /* 24, 28 or 32 */
	const char *type;	  /* "GeoLite2-ASN" */
	const char *key;	  /* "autonomous_system_number"; "asn": its value is "AS64496" */
	uint32_t node[MMDB_LAB_NODES][2];
	uint32_t nodes;
	uint32_t data[64]; /* AS numbers, one record each */
	uint32_t datas;
	unsigned char bytes[MMDB_LAB_BYTES];
	size_t size;
};

#define MMDB_LAB_DATA  0x80000000U /* a side of a node: index of data, not of a node */
#define MMDB_LAB_EMPTY UINT32_MAX

static inline void mmdb_lab_begin(struct mmdb_lab *m)
{
	m->nodes = 1;
	m->datas = 0;
	m->node[0][0] = m->node[0][1] = MMDB_LAB_EMPTY;
}

/* The bits of an IPv4 prefix in a tree of IPv6 stand behind 96 zeros. */
static inline unsigned int mmdb_lab_bit(const struct mmdb_lab *m, const struct prefix *p,
					unsigned int at)
{
	unsigned int skip = m->ip_version == 6 && p->family == MOAT_IPV4 ? 96 : 0;

	return at < skip ? 0 : p->addr[(at - skip) / 8] >> (7 - (at - skip) % 8) & 1;
}

/* Longer prefixes must not lie in shorter ones. */
static inline void mmdb_lab_point(struct mmdb_lab *m, const struct prefix *p, uint32_t to)
{
	unsigned int skip = m->ip_version == 6 && p->family == MOAT_IPV4 ? 96 : 0;
	uint32_t at = 0;

	for (unsigned int i = 0; i + 1 < p->len + skip; i++) {
		uint32_t *side = &m->node[at][mmdb_lab_bit(m, p, i)];

		if (*side == MMDB_LAB_EMPTY) {
			*side = m->nodes++;
			m->node[*side][0] = m->node[*side][1] = MMDB_LAB_EMPTY;
		}
		at = *side;
	}
	m->node[at][mmdb_lab_bit(m, p, p->len + skip - 1)] = to;
}

static inline void mmdb_lab_add(struct mmdb_lab *m, const char *prefix, uint32_t asn)
{
	struct prefix p = {};

	prefix_parse(prefix, &p);
	m->data[m->datas] = asn;
	mmdb_lab_point(m, &p, MMDB_LAB_DATA | m->datas++);
}

static inline void mmdb_lab_byte(struct mmdb_lab *m, unsigned int byte)
{
	if (m->size < sizeof(m->bytes))
		m->bytes[m->size++] = (unsigned char)byte;
}

static inline void mmdb_lab_text(struct mmdb_lab *m, const char *text)
{
	mmdb_lab_byte(m, 2U << 5 | (unsigned int)(strlen(text) < 29 ? strlen(text) : 29));
	if (strlen(text) >= 29)
		mmdb_lab_byte(m, (unsigned int)strlen(text) - 29);
	while (*text)
		mmdb_lab_byte(m, (unsigned char)*text++);
}

/* type: 5 uint16, 6 uint32, 9 uint64. */
static inline void mmdb_lab_number(struct mmdb_lab *m, unsigned int type, uint64_t value)
{
	unsigned int bytes = type == 5 ? 2 : type == 6 ? 4 : 8;

	mmdb_lab_byte(m, (type < 8 ? type << 5 : 0) | bytes);
	if (type >= 8)
		mmdb_lab_byte(m, type - 7);
	while (bytes--)
		mmdb_lab_byte(m, value >> (8 * bytes) & 0xff);
}

static inline void mmdb_lab_metadata(struct mmdb_lab *m)
{
	static const char mark[] = "\xab\xcd\xefMaxMind.com";

	for (size_t i = 0; i < sizeof(mark) - 1; i++)
		mmdb_lab_byte(m, (unsigned char)mark[i]);
	mmdb_lab_byte(m, 7U << 5 | 9);
	mmdb_lab_text(m, "node_count");
	mmdb_lab_number(m, 6, m->nodes);
	mmdb_lab_text(m, "record_size");
	mmdb_lab_number(m, 5, m->record_size);
	mmdb_lab_text(m, "ip_version");
	mmdb_lab_number(m, 5, m->ip_version);
	mmdb_lab_text(m, "database_type");
	mmdb_lab_text(m, m->type);
	mmdb_lab_text(m, "languages");
	mmdb_lab_byte(m, 0);
	mmdb_lab_byte(m, 4); /* array of none */
	mmdb_lab_text(m, "binary_format_major_version");
	mmdb_lab_number(m, 5, 2);
	mmdb_lab_text(m, "binary_format_minor_version");
	mmdb_lab_number(m, 5, 0);
	mmdb_lab_text(m, "build_epoch");
	mmdb_lab_number(m, 9, 1787378552);
	mmdb_lab_text(m, "description");
	mmdb_lab_byte(m, 7U << 5);
}

static inline void mmdb_lab_node(struct mmdb_lab *m, const uint32_t side[2])
{
	if (m->record_size == 28) {
		for (int i = 16; i >= 0; i -= 8)
			mmdb_lab_byte(m, side[0] >> i & 0xff);
		mmdb_lab_byte(m, (side[0] >> 24 & 0xf) << 4 | (side[1] >> 24 & 0xf));
		for (int i = 16; i >= 0; i -= 8)
			mmdb_lab_byte(m, side[1] >> i & 0xff);
		return;
	}
	for (int s = 0; s < 2; s++)
		for (int i = (int)m->record_size - 8; i >= 0; i -= 8)
			mmdb_lab_byte(m, side[s] >> i & 0xff);
}

/* Fills m->bytes. A side that points to a node that is not there stays as it is. */
static inline void mmdb_lab_end(struct mmdb_lab *m)
{
	struct mmdb_lab *data = (struct mmdb_lab *)calloc(1, sizeof(*data));
	uint32_t at[ARRAY_SIZE(m->data)];
	char text[16];

	for (uint32_t i = 0; data && i < m->datas; i++) {
		at[i] = (uint32_t)data->size;
		mmdb_lab_byte(data, 7U << 5 | 1);
		mmdb_lab_text(data, m->key);
		snprintf(text, sizeof(text), "AS%u", m->data[i]);
		if (strcmp(m->key, "asn") != 0)
			mmdb_lab_number(data, 6, m->data[i]);
		else
			mmdb_lab_text(data, text);
	}
	m->size = 0;
	for (uint32_t i = 0; i < m->nodes; i++) {
		uint32_t side[2];

		for (int s = 0; s < 2; s++) {
			uint32_t to = m->node[i][s];

			side[s] = to == MMDB_LAB_EMPTY ? m->nodes
				  : to & MMDB_LAB_DATA ? m->nodes + 16 + at[to & 63]
						       : to;
		}
		mmdb_lab_node(m, side);
	}
	for (int i = 0; i < 16; i++)
		mmdb_lab_byte(m, 0);
	for (size_t i = 0; data && i < data->size; i++)
		mmdb_lab_byte(m, data->bytes[i]);
	free(data);
	mmdb_lab_metadata(m);
}

#endif
