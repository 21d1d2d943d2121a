/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/feeds_asn.h"

#include <fcntl.h>
#include <sys/stat.h>

void feeds_asn_open(const struct config *config, struct feeder_job *job)
{
	for (size_t i = 0; i < config->asn_tables; i++) {
		int fd = open(config->asn_table[i], O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

		job->table[i] = (struct feeder_table){ config->asn_table[i], fd < 0 ? -errno : fd };
	}
	job->tables = config->asn_tables;
}

void feeds_asn_close(struct feeder_job *job)
{
	for (size_t i = 0; i < job->tables; i++)
		base_closep(&job->table[i].fd);
	job->tables = 0;
}

/* FNV-1a, 64 bits. */
static uint64_t mix(uint64_t hash, uint64_t value)
{
	for (int i = 0; i < 8; i++, value >>= 8)
		hash = (hash ^ (value & 0xff)) * 0x100000001b3;
	return hash;
}

uint64_t feeds_asn_stamp(const struct feeder_job *job)
{
	uint64_t hash = 0xcbf29ce484222325;

	for (size_t i = 0; i < job->tables; i++) {
		struct stat st = {};

		if (job->table[i].fd >= 0 && fstat(job->table[i].fd, &st) < 0)
			return 1;
		hash = mix(hash, st.st_dev);
		hash = mix(hash, st.st_ino);
		hash = mix(hash, (uint64_t)st.st_size);
		hash = mix(hash, (uint64_t)st.st_mtim.tv_sec);
		hash = mix(hash, (uint64_t)st.st_mtim.tv_nsec);
	}
	return job->tables ? hash : 0;
}
