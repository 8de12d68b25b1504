package bus

import (
	"fmt"

	"github.com/nats-io/nats-server/v2/server"

	"scrim/transport"
)

// Permissions are the subjects that a user may use: allow lists, because what
// is not thought of must be denied. Nil allows everything.
type Permissions struct {
	Publish, Subscribe []string
}

// WorkerPermissions lets a worker publish video, status, events and snapshots of its
// own site, and hear what is asked of its cameras. It cannot read any video.
func WorkerPermissions(site string) (*Permissions, error) {
	at, err := sitePrefix(site)
	if err != nil {
		return nil, err
	}
	return &Permissions{
		Publish:   []string{at + "video.*", at + string(KindStatus), at + string(KindEvents), at + snapshotReplies},
		Subscribe: []string{at + string(KindKeyframe), at + string(KindSnapshot)},
	}, nil
}

// GatewayPermissions lets a gateway read video, status and events of a site,
// and ask for key frames and snapshots. It cannot publish any video.
func GatewayPermissions(site string) (*Permissions, error) {
	at, err := sitePrefix(site)
	if err != nil {
		return nil, err
	}
	return &Permissions{
		Publish:   []string{at + string(KindKeyframe), at + string(KindSnapshot)},
		Subscribe: []string{at + "video.*", at + string(KindStatus), at + string(KindEvents), at + snapshotReplies},
	}, nil
}

func sitePrefix(site string) (string, error) {
	if err := transport.CheckName(site); err != nil {
		return "", fmt.Errorf("site: %w", err)
	}
	return prefix + site + ".*.", nil
}

// forServer gives the permissions as the server wants them. An empty list must
// deny everything, which the server takes a missing list not to mean.
func (p *Permissions) forServer() *server.Permissions {
	if p == nil {
		return nil
	}
	return &server.Permissions{Publish: allow(p.Publish), Subscribe: allow(p.Subscribe)}
}

func allow(subjects []string) *server.SubjectPermission {
	if len(subjects) == 0 {
		return &server.SubjectPermission{Deny: []string{">"}}
	}
	return &server.SubjectPermission{Allow: subjects}
}
