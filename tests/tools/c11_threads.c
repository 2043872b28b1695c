/* SPDX-License-Identifier: Apache-2.0
 *
 * c11_threads: C11's threads by pthreads, linked into builds with ThreadSanitizer only. librdkafka uses C11's, which
 * gcc 12's ThreadSanitizer does not know: it crashes in a thread it did not see start, and takes locks it did not see
 * for none. glibc's types are the same underneath (bits/thread-shared-types.h).
 */
#include "autoconf.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <threads.h>
#include <time.h>

_Static_assert(sizeof(mtx_t) == sizeof(pthread_mutex_t), "glibc: mtx_t is a mutex");
_Static_assert(sizeof(cnd_t) == sizeof(pthread_cond_t), "glibc: cnd_t is a condition");

struct start {
	thrd_start_t function;
	void *arg;
};

static void *run(void *arg)
{
	struct start start = *(struct start *)arg;

	free(arg);
	return (void *)(intptr_t)start.function(start.arg);
}

int thrd_create(thrd_t *thread, thrd_start_t function, void *arg)
{
	struct start *start = malloc(sizeof(*start));

	if (!start)
		return thrd_nomem;
	*start = (struct start){ function, arg };
	return pthread_create(thread, NULL, run, start) ? thrd_error : thrd_success;
}

int thrd_join(thrd_t thread, int *status)
{
	void *result;

	if (pthread_join(thread, &result))
		return thrd_error;
	if (status)
		*status = (int)(intptr_t)result;
	return thrd_success;
}

int mtx_init(mtx_t *mutex, int type)
{
	pthread_mutexattr_t attr;
	int failed;

	pthread_mutexattr_init(&attr);
	if (type & mtx_recursive)
		pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
	failed = pthread_mutex_init((pthread_mutex_t *)mutex, &attr);
	pthread_mutexattr_destroy(&attr);
	return failed ? thrd_error : thrd_success;
}

void mtx_destroy(mtx_t *mutex)
{
	pthread_mutex_destroy((pthread_mutex_t *)mutex);
}

int mtx_lock(mtx_t *mutex)
{
	return pthread_mutex_lock((pthread_mutex_t *)mutex) ? thrd_error : thrd_success;
}

int mtx_unlock(mtx_t *mutex)
{
	return pthread_mutex_unlock((pthread_mutex_t *)mutex) ? thrd_error : thrd_success;
}

int cnd_init(cnd_t *condition)
{
	return pthread_cond_init((pthread_cond_t *)condition, NULL) ? thrd_error : thrd_success;
}

void cnd_destroy(cnd_t *condition)
{
	pthread_cond_destroy((pthread_cond_t *)condition);
}

int cnd_signal(cnd_t *condition)
{
	return pthread_cond_signal((pthread_cond_t *)condition) ? thrd_error : thrd_success;
}

int cnd_broadcast(cnd_t *condition)
{
	return pthread_cond_broadcast((pthread_cond_t *)condition) ? thrd_error : thrd_success;
}

int cnd_wait(cnd_t *condition, mtx_t *mutex)
{
	return pthread_cond_wait((pthread_cond_t *)condition, (pthread_mutex_t *)mutex) ? thrd_error : thrd_success;
}

int cnd_timedwait(cnd_t *restrict condition, mtx_t *restrict mutex, const struct timespec *restrict until)
{
	int failed = pthread_cond_timedwait((pthread_cond_t *)condition, (pthread_mutex_t *)mutex, until);

	return failed == ETIMEDOUT ? thrd_timedout : failed ? thrd_error : thrd_success;
}

/* Not C11's, but unknown to it as well. */
int pthread_clockjoin_np(pthread_t thread, void **result, clockid_t clock, const struct timespec *until)
{
	struct timespec now, wall;
	int64_t ns;

	clock_gettime(clock, &now);
	clock_gettime(CLOCK_REALTIME, &wall);
	ns = wall.tv_nsec + until->tv_nsec - now.tv_nsec + 2000000000;
	wall.tv_sec += until->tv_sec - now.tv_sec - 2 + (time_t)(ns / 1000000000);
	wall.tv_nsec = (long)(ns % 1000000000);
	return pthread_timedjoin_np(thread, result, &wall);
}
