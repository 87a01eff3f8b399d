#pragma once

#include "mcvol/image/image.h"

#include <itkImage.h>

namespace mcvol {

template <typename Value>
using ItkImage = itk::Image<Value, 3>;

/// An image's values as ITK sees them, not copied: on the image's own axes, so that obliqueness
/// does not enter and ITK's tolerance for direction matrices does not matter. Lives no longer than
/// they.
template <typename Value>
typename ItkImage<Value>::Pointer itk_view(const Image<Value>& image) {
  auto view = ItkImage<Value>::New();
  typename ItkImage<Value>::RegionType region;
  for (unsigned axis = 0; axis < 3; ++axis) {
    region.SetSize(axis, static_cast<itk::SizeValueType>(image.grid.size[axis]));
  }
  view->SetRegions(region);
  view->SetSpacing(image.grid.spacing_mm.data());
  // ITK only reads through this pointer: filters and writers have an output of their own.
  view->GetPixelContainer()->SetImportPointer(const_cast<Value*>(image.values.data()),
                                              image.values.size(), false);
  return view;
}

/// The same where it lies in the patient.
template <typename Value>
typename ItkImage<Value>::Pointer itk_view_in_place(const Image<Value>& image) {
  auto view = itk_view(image);
  typename ItkImage<Value>::DirectionType direction;
  for (unsigned row = 0; row < 3; ++row) {
    for (unsigned column = 0; column < 3; ++column) {
      direction[row][column] = image.grid.direction(row, column);
    }
  }
  view->SetOrigin(image.grid.origin_mm.data());
  view->SetDirection(direction);
  return view;
}

}  // namespace mcvol
