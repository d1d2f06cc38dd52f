"""The console of supervisors and operators: values of the engine as pages, told anew once a second."""
