#!/bin/bash
# A sweep as an array job on a Slurm of its own: slurmctld, slurmd and munge as root on 127.0.0.1,
# with a configuration, ports, keys and sockets in a folder of the test's own. One of eight tasks
# is killed and queued again; the joined bytes must be those of one process.
#
#     sweep.sh ASSIZE FOLDER MODEL
#
# What Slurm runs is deploy/slurm.sh, as it is shipped.
set -euo pipefail
assize=$(realpath "$1")
folder=$2
model=$(realpath "$3")
script=$(realpath "$(dirname "$0")/../../deploy/slurm.sh")
rm -rf "$folder"
mkdir -p "$folder"/{state,spool,bin,parts}
folder=$(realpath "$folder")
export SLURM_CONF=$folder/slurm.conf
host=$(hostname -s)
started=()

finish() {
  # Only what was started here, by id.
  for id in "${started[@]}"; do kill "$id" 2>/dev/null || true; done
  for id in "${started[@]}"; do wait "$id" 2>/dev/null || true; done
}
trap finish EXIT

fail() {
  echo "slurm: $1" >&2
  tail -n 20 "$folder"/*.log >&2
  exit 1
}

# Waits up to a minute until a command is true.
await() {
  local what=$1
  shift
  for _ in $(seq 120); do
    if "$@" >/dev/null 2>&1; then return; fi
    sleep 0.5
  done
  fail "after a minute not $what"
}

# Two free ports, from the kernel.
read -r control work < <(python3 -c '
import socket
held = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
print(*(s.getsockname()[1] for s in held))')

dd if=/dev/urandom of="$folder/munge.key" bs=1024 count=1 status=none
chmod 400 "$folder/munge.key"
cat > "$SLURM_CONF" <<CONF
ClusterName=assize
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$control
SlurmdPort=$work
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$folder/munge.socket,cred_expire=5
CryptoType=crypto/munge
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
ProctrackType=proctrack/pgid
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
SchedulerParameters=sched_interval=5,bf_interval=5
ReturnToService=2
KillWait=2
MpiDefault=none
NodeName=$host NodeAddr=127.0.0.1 CPUs=4 State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=10 State=UP
CONF

# Everything here is loopback and the test's own, so looser rights of folders above are no matter.
munged --foreground --force --num-threads=2 --key-file="$folder/munge.key" \
  --socket="$folder/munge.socket" --pid-file="$folder/munge.pid" \
  --seed-file="$folder/munge.seed" --log-file="$folder/munge.log" 2>"$folder/munged.log" &
started+=($!)
await "munged answers" munge --no-input --socket="$folder/munge.socket"
slurmctld -D -i 2>"$folder/slurmctld.err.log" &
started+=($!)
slurmd -D 2>"$folder/slurmd.err.log" &
started+=($!)
await "the node is idle" bash -c 'sinfo --noheader --format=%T | grep -qx idle'

# The third task hangs the first time, so that there is somebody to kill.
cat > "$folder/bin/assize" <<HANGS
#!/bin/bash
if [ "\${SLURM_ARRAY_TASK_ID:-}" = 3 ] && mkdir "$folder/hung" 2>/dev/null; then
  echo half a part
  sleep 600
fi
exec "$assize" "\$@"
HANGS
chmod +x "$folder/bin/assize"
export PATH=$folder/bin:$PATH

cd "$folder"
job=$(sbatch --parsable --array=1-8 --output="$folder/%a.out" "$script" "$model" "$folder/parts")
await "the third task runs" test -d "$folder/hung"
scontrol requeue "${job}_3"
await "it is queued again" bash -c "squeue --noheader --jobs=${job}_3 --format=%T | grep -qx PENDING"
scontrol update JobId="${job}_3" StartTime=now
done_with() { [ -z "$(squeue --noheader --jobs="$job")" ]; }
await "all tasks are done" done_with
restarts=$(scontrol show job "${job}_3" | grep -o 'Restarts=[0-9]*')
[ "$restarts" = Restarts=1 ] || fail "the third task was not queued again ($restarts)"

"$assize" merge --format json "$folder"/parts/*.json > joined.json 2>merge.log || fail "merge failed"
"$assize" analyse "$model" --format json > whole.json 2>analyse.log || fail "analyse failed"
cmp joined.json whole.json || fail "the bytes differ"
echo "    8 tasks, one killed and queued again: $(wc -c < whole.json) bytes, those of one process"
