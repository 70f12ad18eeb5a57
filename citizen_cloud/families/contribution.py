"""What the families room adds to the machinery."""

from citizen_cloud.manifest import Contribution

contribution = Contribution(name="families")
