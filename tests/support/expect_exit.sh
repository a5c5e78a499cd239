# sh expect_exit.sh STATUS COMMAND...: succeeds if the command ends with exactly this status.
expected=$1
shift
"$@"
status=$?
[ "$status" -eq "$expected" ] && exit 0
echo "exit status $status, expected $expected" >&2
exit 1
