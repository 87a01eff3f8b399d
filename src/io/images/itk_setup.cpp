#include "itk_setup.h"

#include <mutex>

#include <itkMultiThreaderBase.h>
#include <itkObject.h>

namespace mcvol {

void set_up_itk() {
  static std::once_flag once;
  std::call_once(once, [] {
    itk::MultiThreaderBase::SetGlobalDefaultNumberOfThreads(1);
    itk::Object::SetGlobalWarningDisplay(false);
  });
}

}  // namespace mcvol
