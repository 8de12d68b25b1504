package bus

import (
	"fmt"

	"github.com/nats-io/nats-server/v2/server"

	"scrim/transport"
)

// Permissions are the subjects that a user may use. They are allow lists: everything
// else is denied. Nil allows everything.
type Permissions struct {
	Publish, Subscribe []string
}

// WorkerPermissions allow a worker to publish video, status, events and snapshots of
// its own site, and to receive requests for its cameras. It cannot read any video.
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

// GatewayPermissions allow a gateway to read video, status and events of a site, and to
// request key frames and snapshots. It cannot publish video.
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

// forServer converts the permissions for the server. An empty list must deny
// everything, but the server treats a missing list as no restriction.
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
