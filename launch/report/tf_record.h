// TFRecord, the framing of TensorBoard's event files: length, its checksum, data, its checksum.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ty {

// CRC-32C (Castagnoli), as in iSCSI.
std::uint32_t crc32c(std::string_view data);
// The masked form that TFRecord stores: rotated, plus a constant, so that data with embedded
// checksums can be checksummed safely.
std::uint32_t masked_crc32c(std::string_view data);
// One record, little-endian: length (8 bytes), its masked CRC (4), data, their masked CRC (4).
std::string tf_record(std::string_view data);

}  // namespace ty
