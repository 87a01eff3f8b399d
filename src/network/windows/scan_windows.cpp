#include "scan_windows.h"

#include <algorithm>
#include <vector>

#include "window_input.h"

namespace mcvol {
namespace {

class HostWindows final : public ScanWindows {
 public:
  HostWindows(const PreparedScan& scan, const WindowPlan& plan, const std::array<int, 3>& axes,
              Bundle::Window::Padding padding)
      : scan_(scan), plan_(plan), axes_(axes), padding_(padding) {}

  WindowData cut(const Window& window) const override {
    const WindowVoxels found = plan_.voxels_of(window);
    return {window_input(scan_, plan_, window, axes_, padding_),
            at::tensor(found.voxels, at::kLong), at::tensor(found.tile_offsets, at::kLong)};
  }

 private:
  const PreparedScan& scan_;
  const WindowPlan& plan_;
  std::array<int, 3> axes_;
  Bundle::Window::Padding padding_;
};

/// Windows overlap, and each has a wide border: to move the scan once is less than all of them.
class DeviceWindows final : public ScanWindows {
 public:
  DeviceWindows(const PreparedScan& scan, const WindowPlan& plan, const std::array<int, 3>& axes,
                Bundle::Window::Padding padding, c10::Device device)
      : plan_(plan), axes_(axes), padding_(padding) {
    std::vector<at::Tensor> channels;
    for (const Image<float>& channel : scan.channels) {
      channels.push_back(on_network_axes(channel, at::kFloat, device));
    }
    image_ = at::stack(channels).unsqueeze(0).contiguous();
    // Numbered in the order of the image's offsets, not of the network's axes.
    const at::Tensor measured = on_host(scan.measured, at::kByte).to(device).ne(0);
    const at::Tensor numbers = measured.flatten().cumsum(0).sub_(1).view(measured.sizes());
    positions_ = at::where(measured, numbers, at::full({}, -1, numbers.options()))
                     .permute(dimensions())
                     .contiguous();
  }

  WindowData cut(const Window& window) const override {
    std::array<std::int64_t, 3> input_begin, output_begin, input_size, output_size;
    for (std::size_t d = 0; d < 3; ++d) {
      const auto axis = static_cast<std::size_t>(axes_[d]);
      output_begin[d] = window.output_begin[axis];
      input_begin[d] = output_begin[d] - plan_.margin[axis];
      input_size[d] = plan_.input_size[axis];
      output_size[d] = plan_.output_size[axis];
    }
    WindowData data;
    data.image = padding_ == Bundle::Window::Padding::kReplicate
                     ? replicated(image_, input_begin, input_size)
                     : filled(image_, input_begin, input_size, 0.0);
    const at::Tensor tile = filled(positions_, output_begin, output_size, -1).flatten();
    data.tile_offsets = tile.ge(0).nonzero().squeeze(1);
    data.voxels = tile.index_select(0, data.tile_offsets);
    return data;
  }

 private:
  /// [z, y, x], the image's own memory.
  template <typename Value>
  static at::Tensor on_host(const Image<Value>& image, c10::ScalarType type) {
    const Index3& size = image.grid.size;
    return at::from_blob(const_cast<Value*>(image.values.data()), {size[2], size[1], size[0]},
                         at::TensorOptions().dtype(type));
  }

  /// Image axis a is dimension 2 - a of on_host().
  std::vector<std::int64_t> dimensions() const {
    return {2 - axes_[0], 2 - axes_[1], 2 - axes_[2]};
  }

  template <typename Value>
  at::Tensor on_network_axes(const Image<Value>& image, c10::ScalarType type,
                             c10::Device device) const {
    return on_host(image, type).to(device).permute(dimensions());
  }

  /// The box of the last three dimensions; `value` outside the image.
  static at::Tensor filled(at::Tensor image, const std::array<std::int64_t, 3>& begin,
                           const std::array<std::int64_t, 3>& size, const c10::Scalar& value) {
    std::vector<std::int64_t> pads(6);
    for (std::size_t d = 0; d < 3; ++d) {
      const std::int64_t dim = image.dim() - 3 + static_cast<std::int64_t>(d);
      const std::int64_t first = std::max<std::int64_t>(begin[d], 0);
      const std::int64_t last = std::min(begin[d] + size[d], image.size(dim));
      image = image.narrow(dim, std::min(first, image.size(dim)),
                           std::max<std::int64_t>(last - first, 0));
      const std::size_t place = 2 * (2 - d);  // pads name the last dimension first
      pads[place] = std::min(first - begin[d], size[d]);
      pads[place + 1] = size[d] - pads[place] - image.size(dim);
    }
    return at::constant_pad_nd(image, pads, value);
  }

  static at::Tensor replicated(at::Tensor image, const std::array<std::int64_t, 3>& begin,
                               const std::array<std::int64_t, 3>& size) {
    for (std::size_t d = 0; d < 3; ++d) {
      const std::int64_t dim = image.dim() - 3 + static_cast<std::int64_t>(d);
      const at::Tensor indices =
          at::arange(begin[d], begin[d] + size[d], image.options().dtype(at::kLong))
              .clamp(0, image.size(dim) - 1);
      image = image.index_select(dim, indices);
    }
    return image;
  }

  const WindowPlan& plan_;
  std::array<int, 3> axes_;
  Bundle::Window::Padding padding_;
  at::Tensor image_;      ///< [1, channels, d0, d1, d2]
  at::Tensor positions_;  ///< int64 [d0, d1, d2]: in the list of measured voxels, or -1
};

}  // namespace

std::int64_t device_scan_bytes(const PreparedScan& scan) {
  return std::ssize(scan.measured.values) * (4 * std::ssize(scan.channels) + 8);
}

std::unique_ptr<ScanWindows> scan_windows(const PreparedScan& scan, const WindowPlan& plan,
                                          const std::array<int, 3>& axes,
                                          Bundle::Window::Padding padding, c10::Device device) {
  if (device.is_cpu()) return std::make_unique<HostWindows>(scan, plan, axes, padding);
  return std::make_unique<DeviceWindows>(scan, plan, axes, padding, device);
}

}  // namespace mcvol
