# Targets that prove the image and the README's two commands on a bare Debian 12. They need root,
# debootstrap, buildah, jq and the network, and some minutes; SCRATCH keeps what can be used again.
# SPDX-License-Identifier: Apache-2.0

.PHONY: image-test chroot-test
image-test: ## build and run the container image, without a container engine
	docker/image_test.sh
chroot-test: ## the README's two commands on a bare Debian 12
	docker/chroot_test.sh
