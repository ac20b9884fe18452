namespace ClaimCheck.Consumer.Handling;

/// <summary>
/// Thrown by a handler of this project where no record is at fault: its target can't be used now. The chunk is rolled back, no
/// record is failed, and the batch continues there later.
/// </summary>
internal class RunStoppedException(string code, string message, BatchId? batchId, bool isTransient, Exception? inner = null)
    : ClaimCheckException(code, message, batchId, isTransient, inner);
