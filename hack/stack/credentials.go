package stack

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"net/http"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/client-go/util/cert"
	"k8s.io/client-go/util/keyutil"

	"github.com/waybill-cd/waybill/hack/stack/loopback"
)

// Files in the stack's folder, with slashes.
const (
	adminKubeconfig  = "kube/admin.kubeconfig"
	argocdKubeconfig = "kube/argocd.kubeconfig"
	servingCert      = "kube/serving.crt"
	servingKey       = "kube/serving.key"
	accountKey       = "kube/service-account.key"
	tokenFile        = "kube/tokens.csv"
)

// writeCredentials makes what the control plane is served, signed and reached
// with.
func (s *Stack) writeCredentials() error {
	certificate, key, err := cert.GenerateSelfSignedCertKey(loopback.Address,
		[]net.IP{net.ParseIP(loopback.Address)}, []string{"localhost", "kubernetes.default.svc"})
	if err != nil {
		return fmt.Errorf("making the API server's certificate: %w", err)
	}
	signing, err := keyutil.MakeEllipticPrivateKeyPEM()
	if err != nil {
		return fmt.Errorf("making the key that signs the tokens of ServiceAccounts: %w", err)
	}
	token := rand.Text()
	for name, content := range map[string][]byte{
		servingCert: certificate,
		servingKey:  key,
		accountKey:  signing,
		tokenFile:   fmt.Appendf(nil, "%s,stack-admin,stack-admin,system:masters\n", token),
	} {
		if _, err := s.writeFile(name, content); err != nil {
			return err
		}
	}
	if _, err := s.writeKubeconfig(adminKubeconfig, "stack-admin", token, metav1.NamespaceDefault); err != nil {
		return err
	}
	if _, err := s.writeKubeconfig(argocdKubeconfig, "stack-admin", token, ArgoCDNamespace); err != nil {
		return err
	}
	return s.connect()
}

func (s *Stack) connect() error {
	config, err := clientcmd.BuildConfigFromFlags("", s.Kubeconfig())
	if err != nil {
		return fmt.Errorf("reading the stack's kubeconfig: %w", err)
	}
	// The tests' own haste is not what they measure.
	config.QPS, config.Burst = 200, 400
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("making a client for the API server: %w", err)
	}
	s.rest, s.client = config, client
	return nil
}

func (s *Stack) writeKubeconfig(name, user, token, namespace string) (string, error) {
	content, err := clientcmd.Write(clientcmdapi.Config{
		Clusters: map[string]*clientcmdapi.Cluster{
			"stack": {Server: s.kube.url(), CertificateAuthority: s.folder.join(servingCert)},
		},
		AuthInfos:      map[string]*clientcmdapi.AuthInfo{user: {Token: token}},
		Contexts:       map[string]*clientcmdapi.Context{"stack": {Cluster: "stack", AuthInfo: user, Namespace: namespace}},
		CurrentContext: "stack",
	})
	if err != nil {
		return "", fmt.Errorf("writing the kubeconfig of %s: %w", user, err)
	}
	return s.writeFile(name, content)
}

// Kubeconfig is the path of the administrator's kubeconfig.
func (s *Stack) Kubeconfig() string { return s.folder.join(adminKubeconfig) }

// RESTConfig is the same for client-go.
func (s *Stack) RESTConfig() *rest.Config { return rest.CopyConfig(s.rest) }

// httpClient sends the administrator's credentials to the API server and trusts
// the certificate that the control plane serves.
func (s *Stack) httpClient() (*http.Client, error) {
	client, err := rest.HTTPClientFor(s.rest)
	if err != nil {
		return nil, fmt.Errorf("making a client for the API server: %w", err)
	}
	return client, nil
}

// ServiceAccountKubeconfig writes a kubeconfig with a token of a ServiceAccount,
// whose rights its bearer has and no others, and returns its path. The token is
// good for a day.
func (s *Stack) ServiceAccountKubeconfig(ctx context.Context, namespace, name string) (string, error) {
	seconds := int64((24 * time.Hour).Seconds())
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: &seconds}}
	answer, err := s.client.CoreV1().ServiceAccounts(namespace).CreateToken(ctx, name, request, metav1.CreateOptions{})
	if err != nil {
		return "", fmt.Errorf("asking for a token of the ServiceAccount %s/%s: %w", namespace, name, err)
	}
	return s.writeKubeconfig("kube/"+namespace+"-"+name+".kubeconfig", name, answer.Status.Token, namespace)
}
