"""Signing in through WeChat, Alipay or a government identity service."""
