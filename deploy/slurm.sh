#!/bin/bash
# A sweep as a Slurm array job. Hand in with
#   sbatch --array=1-8 deploy/slurm.sh network.yaml parts
# and join afterwards with
#   assize merge --format json parts/*.json > analysis.json
# or let Slurm do that too:
#   sbatch --dependency=afterok:JOB --wrap 'assize merge --format json parts/*.json > analysis.json'
#SBATCH --job-name=assize
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=1
#SBATCH --requeue
set -euo pipefail
model=$1
parts=$2
mkdir -p "$parts"
part="$parts/$SLURM_ARRAY_TASK_ID.json"
# A part that is there is whole: it is moved into place when it is done.
assize analyse "$model" --threads "${SLURM_CPUS_PER_TASK:-1}" \
  --shard "$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT" --format json > "$part.$SLURM_JOB_ID"
mv "$part.$SLURM_JOB_ID" "$part"
