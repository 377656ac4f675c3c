module kubectl-truenas-migrate/tests/cluster/modules/pause

go 1.26
