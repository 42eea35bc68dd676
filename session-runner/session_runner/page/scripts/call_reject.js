// Rejects a call: `rejected`, or `gone` when it does not ring any more.
async ({ id }) => {
  try { await window.WPP.call.reject(id); } catch (error) {
    if (['call_not_found', 'call_is_not_incoming_ring'].includes(error?.code)) return 'gone';
    throw error;
  }
  return 'rejected';
}
