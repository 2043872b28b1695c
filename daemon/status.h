/* SPDX-License-Identifier: Apache-2.0
 *
 * status: the exit statuses of every command (CONTRACT: sysexits' EX_CONFIG for what a restart cannot mend; the
 * unit has RestartPreventExitStatus=78).
 */
#ifndef TOKENTALLY_STATUS_H
#define TOKENTALLY_STATUS_H

#include "err.h"

enum { STATUS_DONE = 0, STATUS_FAILED = 1, STATUS_USAGE = 2, STATUS_CONFIG = 78 };

static inline int status_of(const struct err *err)
{
	return err->kind == ERR_CONFIG ? STATUS_CONFIG : STATUS_FAILED;
}

#endif
