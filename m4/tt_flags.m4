dnl TT_FLAGS(VARIABLE, FLAGS): puts those of FLAGS that the compiler knows into VARIABLE.
AC_DEFUN([TT_FLAGS], [
	$1=
	for tt_flag in $2; do
		tt_saved=$CFLAGS
		CFLAGS="$CFLAGS -Werror $tt_flag"
		AC_MSG_CHECKING([whether $CC knows $tt_flag])
		AC_COMPILE_IFELSE([AC_LANG_PROGRAM([], [])],
			[AC_MSG_RESULT([yes]); $1="$$1 $tt_flag"], [AC_MSG_RESULT([no])])
		CFLAGS=$tt_saved
	done
])
