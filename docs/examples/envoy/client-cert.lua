-- SPDX-License-Identifier: Apache-2.0
-- The client's certificate as a Client-Cert header (RFC 9440): the base64 of its PEM, without the
-- lines around it, between colons. Whatever the client sent under that name goes first.

local function unescaped(text)
    return (text:gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end))
end

function envoy_on_request(handle)
    local headers = handle:headers()
    headers:remove("client-cert")
    headers:remove("client-cert-chain")
    local tls = handle:streamInfo():downstreamSslConnection()
    if tls == nil or not tls:peerCertificatePresented() then return end
    local pem = unescaped(tls:urlEncodedPemEncodedPeerCertificate())
    local base64 = pem:match("^%-+BEGIN CERTIFICATE%-+\n(.-)%-+END CERTIFICATE%-+\n$"):gsub("\n", "")
    headers:add("client-cert", ":" .. base64 .. ":")
end
