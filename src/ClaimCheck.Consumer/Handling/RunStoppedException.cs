using ClaimCheck.Contracts;

namespace ClaimCheck.Consumer.Handling;

/// <summary>
/// Thrown by a handler of this project's own where no record is at fault: what it writes to can't be used now. The chunk is undone, no
/// record is failed, and the batch goes on there later.
/// </summary>
internal class RunStoppedException(string code, string message, BatchId? batchId, bool isTransient, Exception? inner = null)
    : ClaimCheckException(code, message, batchId, isTransient, inner);
