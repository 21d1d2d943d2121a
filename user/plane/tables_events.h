/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rings of events behind the tables. Private to plane/; others use
 * plane/events.h.
 */
#ifndef PLANE_TABLES_EVENTS_H
#define PLANE_TABLES_EVENTS_H

#include "plane/object.h"
#include "plane/tables.h"

struct tables_events;

struct tables_events *tables_events_free(struct tables_events *e);

/* What object_load() is given; NULL: there are none. */
const struct object_events *tables_object_events(const struct tables *t);

#endif
