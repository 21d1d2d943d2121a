/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/feed_linger.h"

#include "core/gate.h"
#include "core/prefix.h"
#include "core/units.h"
#include "core/when.h"

#define ROOM_FIRST 4096

void linger_free(struct linger *l)
{
	free(l->text);
	*l = (struct linger){};
}

/* NULL and "" are the same to a list: both come out as NULL. */
static int keep_text(struct linger *l, const char *text)
{
	size_t size = strlen(text ?: "") + 1, room = l->room ? l->room : ROOM_FIRST;
	char *grown;

	while (room < l->size + size)
		room *= 2;
	if (room != l->room) {
		grown = realloc(l->text, room);
		if (!grown)
			return -ENOMEM;
		l->text = grown;
		l->room = room;
	}
	memcpy(l->text + l->size, text ?: "", size);
	l->size += size;
	return 0;
}

/* Whether a list can have the row; what is read of any other may not name it (store.h). */
static bool is_plain(const struct row *row)
{
	struct prefix source;

	return row->source && row->category && prefix_parse(row->source, &source) != -EINVAL &&
	       gate_name_ok(row->category, MOAT_CATEGORY_NAME);
}

int linger_take(struct linger *l, const struct listing *have, int64_t now)
{
	const char *const texts[] = { have->key.source, have->key.category,   have->reason,
				      have->reference,	have->key.confidence, have->key.region };
	const char *expires = have->key.expires_at;
	int64_t end = 0;
	int err = 0;

	if (!l->seconds || !is_plain(&have->key) ||
	    (expires && (when_parse_seconds(expires, &end) || end <= now)))
		return 0;
	l->until = now + l->seconds;
	l->count++;
	if (expires && end <= l->until)
		return 1;
	for (size_t i = 0; i < ARRAY_SIZE(texts) && !err; i++)
		err = keep_text(l, texts[i]);
	l->moves += !err;
	return err ?: 1;
}

static const char *give_text(struct linger *l)
{
	const char *text = l->text + l->at;

	l->at += strlen(text) + 1;
	return text[0] ? text : NULL;
}

bool linger_next(struct linger *l, struct listing_input *ret)
{
	const char *confidence;
	uint64_t number;

	if (l->at == l->size)
		return false;
	*ret = (struct listing_input){ .expires_at = l->until, .confidence = -1 };
	ret->source = give_text(l);
	ret->category = give_text(l);
	ret->reason = give_text(l);
	ret->reference = give_text(l);
	confidence = give_text(l);
	ret->region = give_text(l);
	if (confidence && !units_number(confidence, &number) && number <= 100)
		ret->confidence = (int)number;
	return true;
}
