module kubectl-truenas-migrate/tests/cluster/modules/writer

go 1.26

require github.com/lib/pq v1.12.3
