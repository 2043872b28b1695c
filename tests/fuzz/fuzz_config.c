/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_config: any bytes as tokentally.conf: options, or faults that each name the file.
 */
#include "autoconf.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "faults.h"
#include "options.h"

#define MUST(condition)                                                                            \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);            \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("conf", 0);
	struct options *options;
	struct faults faults;
	char path[64];

	MUST(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	faults_init(&faults);
	options = options_load(path, NULL, 0, &faults);
	MUST((options != NULL) == (faults.count == 0));
	for (size_t i = 0; i < faults.count; i++)
		MUST(strlen(faults.texts[i]) > 0);
	if (options != NULL) {
		MUST(options->topic_count > 0 && *options->kafka_group_id != '\0');
		options_free(options);
	}
	faults_release(&faults);
	close(fd);
	return 0;
}
