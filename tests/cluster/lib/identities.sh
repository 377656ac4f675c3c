# Keys, certificates and kubeconfigs of the cluster, made once per cluster with openssl.
# shellcheck shell=bash disable=SC2154

# certificate NAME SUBJECT USAGE [SUBJECT-ALTERNATIVE-NAMES]: signed by the cluster's own authority, for a year.
certificate() {
  local name=$1 subject=$2 usage=$3 names=${4:-}
  [[ ! -e $pki/$name.crt ]] || return 0
  openssl ecparam -name prime256v1 -genkey -noout -out "$pki/$name.key" 2>/dev/null
  openssl req -new -key "$pki/$name.key" -subj "$subject" 2>/dev/null |
    openssl x509 -req -CA "$pki/ca.crt" -CAkey "$pki/ca.key" -set_serial "0x$(openssl rand -hex 8)" -days 365 -sha256 \
      -extfile <(printf 'extendedKeyUsage=%s\nkeyUsage=digitalSignature,keyEncipherment\n' "$usage"
        [[ -z $names ]] || printf 'subjectAltName=%s\n' "$names") -out "$pki/$name.crt.part" 2>/dev/null
  mv "$pki/$name.crt.part" "$pki/$name.crt"
}

make_identities() {
  umask 077
  mkdir -p "$pki"
  if [[ ! -e $pki/ca.crt ]]; then
    openssl ecparam -name prime256v1 -genkey -noout -out "$pki/ca.key" 2>/dev/null
    openssl req -x509 -new -key "$pki/ca.key" -subj /CN=truenas-migrate-test-cluster -days 365 -sha256 -out "$pki/ca.crt.part"
    mv "$pki/ca.crt.part" "$pki/ca.crt"
  fi
  [[ -e $pki/service-account.key ]] ||
    openssl ecparam -name prime256v1 -genkey -noout -out "$pki/service-account.key" 2>/dev/null
  certificate apiserver /CN=kube-apiserver serverAuth "IP:127.0.0.1,IP:$(first_address "$pod_cidr"),IP:$(first_address \
    "$service_cidr"),DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local"
  certificate kubelet-client /O=system:masters/CN=kube-apiserver-kubelet-client clientAuth
  certificate front-proxy /CN=front-proxy-client clientAuth
  certificate admin /O=system:masters/CN=admin clientAuth
  certificate controller-manager /CN=system:kube-controller-manager clientAuth
  certificate scheduler /CN=system:kube-scheduler clientAuth
  certificate proxy /CN=system:kube-proxy clientAuth
  certificate kubelet "/O=system:nodes/CN=system:node:$node_name" clientAuth,serverAuth "IP:$(first_address "$pod_cidr"),DNS:$node_name"
  certificate coredns /CN=system:coredns clientAuth
  certificate storage /CN=storage-sidecars clientAuth
  certificate cnpg /CN=cnpg-operator clientAuth
  certificate webhook /CN=cnpg-webhook serverAuth DNS:localhost
  umask 022
}

# write_kubeconfig FILE IDENTITY: everything inside the file, so that it can be copied.
write_kubeconfig() {
  [[ ! -e $1 ]] || return 0
  (
    umask 077
    cat >"$1.part" <<YAML
apiVersion: v1
kind: Config
current-context: truenas-migrate-test
contexts:
- name: truenas-migrate-test
  context: {cluster: truenas-migrate-test, user: $2}
clusters:
- name: truenas-migrate-test
  cluster:
    server: https://127.0.0.1:$api_port
    certificate-authority-data: $(base64 -w0 "$pki/ca.crt")
users:
- name: $2
  user:
    client-certificate-data: $(base64 -w0 "$pki/$2.crt")
    client-key-data: $(base64 -w0 "$pki/$2.key")
YAML
    mv "$1.part" "$1"
  )
}

make_kubeconfigs() {
  local identity
  mkdir -p "$configs"
  for identity in controller-manager scheduler proxy kubelet coredns storage cnpg; do
    write_kubeconfig "$configs/$identity.kubeconfig" "$identity"
  done
  write_kubeconfig "$admin_kubeconfig" admin
}
