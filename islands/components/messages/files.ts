/** Whether what is dragged or pasted has files; a picture is one. */
export function carriesFiles(data: DataTransfer | null): boolean | undefined {
  return data?.types.includes("Files");
}
