"""What the approvals room adds to the machinery."""

from citizen_cloud.manifest import Contribution

contribution = Contribution(name="approvals")
