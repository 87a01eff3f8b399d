#pragma once

#include "mcvol/io/images/image_header.h"

#include <filesystem>

#include "text_header.h"
#include <itkImageIOBase.h>

namespace mcvol {

/// Whether the name is that of a NRRD or MetaImage file, by its ending in any case.
bool named_like_text_image(const std::filesystem::path& path);

/// A NRRD or MetaImage file, its head checked and ITK's reader for it, which has read that, too.
struct TextImage {
  ImageHeader header;
  TextHeader text;
  itk::ImageIOBase::Pointer io;
};

/// @throws InputError, one line that starts with the file's name; itk::ExceptionObject.
TextImage open_text_image(const std::filesystem::path& path);

}  // namespace mcvol
